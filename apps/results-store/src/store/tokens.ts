/** The {@link ResultStore} of this service, for injection. */
export const RESULT_STORE = Symbol('ResultStore');
