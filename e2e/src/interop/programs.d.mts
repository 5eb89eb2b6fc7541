export declare function findProgram(name: string): string | undefined;
export declare function isProgram(file: string): boolean;
