/** Why data cannot be used: a message for the visitor, in whole sentences. */
export class DataError extends Error {}

/** The connection, not the data: the same file may come at another time. */
export class ConnectionError extends DataError {}
