declare module 'opossum' {
  /** The part of opossum's API that the benchmark calls; the package has no types of its own. */
  export default class CircuitBreaker<A extends unknown[], T> {
    constructor(action: (...args: A) => Promise<T>, options?: Readonly<Record<string, unknown>>)
    fire(...args: A): Promise<T>
    open(): void
  }
}
