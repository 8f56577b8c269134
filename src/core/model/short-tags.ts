// What stands before each field of the messages of a keystroke: for who writes them by hand, and reads.

/** The byte before a field that has a length: its number, and that. */
export const lengthy = (field: number) => (field << 3) | 2
/** The byte before a field that is one number. */
export const plain = (field: number) => field << 3

/** `SessionRequest.messages` and `SessionResponse.messages`. */
export const messages = lengthy(1)
/** A case of `ClientMessage`. */
export const pushed = lengthy(4)
/** Cases of `ServerMessage`. */
export const [changed, stored] = [lengthy(4), lengthy(5)]
