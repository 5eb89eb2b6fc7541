import { Guardian, type Ward } from '@das/supervisor';

interface Guarded {
  /** Changes with a restart. */
  readonly pid: number | undefined;
  restart(): Promise<void>;
}

/**
 * Ends a server when the process of its test is gone, even by SIGKILL. The returned function lets go of it: call it once the server was stopped,
 * or the guardian keeps the test's process from ending.
 */
export function guard(server: Guarded, signal: Ward['signal']): () => Promise<void> {
  const guardian = new Guardian();
  const watch = (): void => guardian.watch([{ pid: server.pid ?? 0, signal }]);
  const restart = server.restart.bind(server);
  server.restart = async () => {
    await restart();
    watch();
  };
  watch();
  return () => guardian.dismiss();
}
