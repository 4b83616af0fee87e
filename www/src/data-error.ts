/** Why data cannot be used: a message for the visitor, in whole sentences. */
export class DataError extends Error {}
