/** How many are kept at most. */
const most = 64

/**
 * Lists of which another page may be asked for. They are kept as long as nobody needs their memory; whoever asks later has them
 * made anew.
 */
export class KeptLists {
  readonly #lists = new Map<string, WeakRef<readonly string[]>>()

  get(key: string): readonly string[] | undefined {
    return this.#lists.get(key)?.deref()
  }

  keep(key: string, list: readonly string[]): void {
    this.#lists.delete(key)
    this.#lists.set(key, new WeakRef(list))
    const [oldest] = this.#lists.keys()
    if (this.#lists.size > most && oldest !== undefined) this.#lists.delete(oldest)
  }
}
