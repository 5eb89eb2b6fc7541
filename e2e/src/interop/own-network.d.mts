export declare class OwnNetwork {
  static open(): Promise<OwnNetwork>;
  inside(command: readonly string[]): string[];
  lose(percent: number): Promise<void>;
  lost(): Promise<number>;
  dropDatagrams(address: string): Promise<void>;
  close(): Promise<void>;
}
