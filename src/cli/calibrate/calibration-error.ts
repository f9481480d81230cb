/** A failure that the user can act on: its message is printed without a stack trace. */
export class CalibrationError extends Error {}
