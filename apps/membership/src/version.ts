/** Of this software, as beats tell it: mixed clusters can be seen. */
export const version = '0.1.0';
