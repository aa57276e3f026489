/**
 * From here on the wall clock of this process can be set, by a message `{ clock: milliseconds }`: what it is ahead of the
 * true one. Its monotonic clock goes on as it does, as the clocks of an operating system do.
 */
export function followClock(): void {
  const RealDate = Date
  let ahead = 0
  process.on('message', (message) => {
    const clock: unknown = Reflect.get(Object(message), 'clock')
    if (typeof clock === 'number') ahead = clock
  })
  globalThis.Date = class extends RealDate {
    constructor(...given: unknown[]) {
      super(...((given.length === 0 ? [RealDate.now() + ahead] : given) as []))
    }

    static override now(): number {
      return RealDate.now() + ahead
    }
  } as DateConstructor
}
