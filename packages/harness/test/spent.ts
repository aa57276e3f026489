/**
 * Milliseconds of processor time that this thread has spent since `process.threadCpuUsage()` answered `started`: for work
 * that waits for nothing, the real time that it takes on a machine that does nothing else.
 */
export function spentMs(started: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(started)
  return (user + system) / 1_000
}
