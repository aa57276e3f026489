/** Gives the first wait. */
export interface IBackoffFactory<T> {
  next(context: T): IBackoff<T>
}

/** One wait, and how to get the next. */
export interface IBackoff<T> extends IBackoffFactory<T> {
  /** Milliseconds. */
  readonly duration: number
}
