/** Words by which a caller tells errors apart. */
export type MemberlistErrorCode =
  | 'CONFIG_INVALID'
  | 'ADDRESS_IN_USE'
  | 'JOIN_FAILED'
  | 'BROADCAST_TIMEOUT'
  | 'UNKNOWN_MEMBER'
  | 'NO_PING_RESPONSE'
  | 'SEND_FAILED'
  | 'META_TOO_LARGE'
  | 'CLOSED';

/** Anything this library throws. State: as before the call, unless the method says otherwise. */
export class MemberlistError extends Error {
  override readonly name = 'MemberlistError';

  constructor(
    readonly code: MemberlistErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
