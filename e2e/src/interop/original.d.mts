export declare const packages: readonly string[];
export declare function missingOriginal(): string | undefined;
export declare function missingNetwork(): string | undefined;
export declare function originalPeer(repository: string): Promise<string[]>;
