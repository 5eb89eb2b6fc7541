/** Processes that a run started and did not end; none on other systems than Linux. */
export declare function leftovers(of: {
  run: string;
  temp: string;
  since: number;
  graceMs?: number;
}): Promise<Array<{ pid: number; command: string; parent: number; state: string; startedAt: number }>>;
