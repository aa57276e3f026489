/**
 * Binds a child process to the desk: it ends when the desk's end of the channel closes, however the desk ended, and leaves
 * an interrupt of the terminal's process group for the desk to act on.
 *
 * @param onEnd runs before the process ends that way
 */
export function holdOnToDesk(onEnd: () => void = () => {}): void {
  const end = (): void => {
    onEnd()
    process.exit()
  }
  process.once('disconnect', end)
  for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => {})
  if (!process.connected) end()
}

/** Sends to the desk. A desk that is gone hears nothing, and `holdOnToDesk` ends this process. */
export function tellDesk(message: object): void {
  process.send?.(message, undefined, undefined, () => {})
}
