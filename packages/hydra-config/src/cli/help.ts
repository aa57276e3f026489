import type { Repository } from '../defaults/repository.ts'
import { HydraConfigError } from '../errors.ts'
import { redact } from '../value/secret.ts'
import type { Value } from '../value/value.ts'
import { dumpYaml } from '../yaml/dump.ts'
import type { AppCall } from './app-call.ts'
import { completionHelp } from './completion-scripts.ts'
import { resolvedRoot } from './find-raw.ts'
import { optionSpecs, overridesHelp } from './options.ts'
import { shownPart } from './show-config.ts'

/** `--help`: the template `hydra.help.template`, filled in. */
export async function appHelp(call: AppCall): Promise<string> {
  const run = await call.compose('RUN', call.arguments.overrides, { logged: true })
  const part = shownPart(run, 'job')
  const template = run.text('hydra.help.template')
  return filled(
    template,
    call,
    call.arguments.resolve ? await resolvedRoot(part, run.resolve, 'content') : part,
  )
}

/** `--hydra-help`: the template `hydra.hydra_help.template`, filled in. */
export async function hydraHelp(call: AppCall): Promise<string> {
  const run = await call.compose('RUN', call.arguments.overrides, { config: undefined, logged: true })
  const template = run.text('hydra.hydra_help.template')
  return filled(template, call, shownPart(run, 'hydra'))
}

/** As Python's `string.Template.substitute`. */
async function filled(template: string, call: AppCall, config: Value): Promise<string> {
  // As in Hydra, what `hydra.searchpath` adds is not listed.
  const repository = await call.openRepository(undefined, [])
  const values: Readonly<Record<string, () => string>> = {
    FLAGS_HELP: () => flagsHelp(call.app.command),
    HYDRA_CONFIG_GROUPS: () => groupsHelp(repository, isHydraGroup),
    APP_CONFIG_GROUPS: () => groupsHelp(repository, (group) => !isHydraGroup(group)),
    CONFIG: () => dumpYaml(redact(config)),
  }
  return template.replace(
    /\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})?/g,
    (written: string, dollar: string | undefined, bare: string | undefined, braced: string | undefined) => {
      if (dollar !== undefined) return '$'
      const name = bare ?? braced
      if (name === undefined)
        refuse('ValueError', `Invalid placeholder in the template of the help: '${written}'`)
      const value = Object.hasOwn(values, name) ? values[name] : undefined
      return value === undefined ? refuse('KeyError', `'${name}' is no placeholder of the help`) : value()
    },
  )
}

function isHydraGroup(group: string): boolean {
  return group === 'hydra' || group.startsWith('hydra/')
}

function flagsHelp(command: string): string {
  const flags = optionSpecs.map(({ option, names, help }) => {
    const more = option === 'shellCompletion' ? `\n${completionHelp(command)}` : ''
    return `${names.join(',')} : ${help}${more}\n`
  })
  return `${flags.join('')}Overrides : ${overridesHelp}`
}

/** One line for each config group: its name and its options. */
function groupsHelp(repository: Repository, predicate: (group: string) => boolean): string {
  return allGroups(repository, '')
    .filter(predicate)
    .toSorted()
    .map((group) => `${group}: ${repository.options(group).join(', ')}\n`)
    .join('')
}

function allGroups(repository: Repository, parent: string): string[] {
  return repository.groupsIn(parent).flatMap((name) => {
    const group = parent === '' ? name : `${parent}/${name}`
    const own = repository.options(group).length > 0 ? [group] : []
    return [...own, ...allGroups(repository, group)]
  })
}

function refuse(ofClass: string, message: string): never {
  throw new HydraConfigError('COMPOSITION', message, { class: ofClass })
}
