/**
 * Binds a child process to the desk: it ends when the desk's end of the channel closes, however the desk ended, and leaves
 * an interrupt of the terminal's process group for the desk to act on.
 *
 * @param onEnd runs before the process ends that way
 */
export function holdOnToDesk(onEnd: () => Promise<void> | void = () => {}): void {
  const end = async (): Promise<void> => {
    try {
      await onEnd()
    } finally {
      process.exit()
    }
  }
  process.once('disconnect', () => void end())
  for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => {})
  if (!process.connected) void end()
}

/** Sends to the desk. A desk that is gone hears nothing, and `holdOnToDesk` ends this process. */
export function tellDesk(message: object): void {
  process.send?.(message, undefined, undefined, () => {})
}
