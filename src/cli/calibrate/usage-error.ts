/** A failure whose sentence is all that the terminal shows: wrong usage, wrong input, a service that does not answer. */
export class CalibrationError extends Error {}
