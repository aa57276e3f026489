// Options that decide how modules are found and read. A subject's module is to be loaded as it would be here.
const withValue = /^(--conditions|-C|--import|--require|-r|--loader|--experimental-loader)$/
const alone =
  /^(?:(?:--conditions|-C|--import|--require|-r|--loader|--experimental-loader)=|--(?:no-)?experimental-(?:strip|transform)-types$|--preserve-symlinks$)/

/** Those of `execArgv` that a subject's process needs too, in their order; a value may follow after a space. */
export function inheritedArgs(execArgv: readonly string[]): string[] {
  const inherited: string[] = []
  for (const [at, argument] of execArgv.entries()) {
    const value = execArgv[at + 1]
    if (alone.test(argument)) inherited.push(argument)
    else if (withValue.test(argument) && value !== undefined) inherited.push(argument, value)
  }
  return inherited
}
