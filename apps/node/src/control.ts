/** What a node tells the supervisor that started it. */
export type Notice =
  | { readonly kind: 'started'; readonly rest: string | undefined }
  | { readonly kind: 'failed'; readonly message: string };

/** Tells the supervisor; resolves when told, or at once when nobody supervises us (a container, a terminal). */
export function tell(notice: Notice): Promise<void> {
  if (!process.connected) return Promise.resolve();
  return new Promise((resolve) => void process.send?.(notice, undefined, undefined, () => resolve()));
}

/** Calls `gone` when the process that started us is gone, however it died: the channel that it held closes. */
export function onParentGone(gone: () => void): void {
  if (!process.send) return;
  if (process.connected) process.once('disconnect', gone);
  else gone();
}
