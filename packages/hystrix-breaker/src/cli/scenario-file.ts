import { readFileSync } from 'node:fs'
import { Failure, textOf, UsageError } from './arguments.ts'
import { readScenario, type Scenario } from './scenario.ts'

/** A scenario from a file, or `-` for standard input, with another seed where one is given. JSON, or else YAML. */
export async function scenarioFrom(file: string, seed?: number): Promise<Scenario> {
  const text = file === '-' ? readFileSync(0, 'utf8') : textOf('the scenario', file)
  const value = /^\s*\{/.test(text) && !isYaml(file) ? fromJson(file, text) : await fromYaml(file, text)
  return readScenario(value, seed)
}

function isYaml(file: string): boolean {
  return /\.ya?ml$/i.test(file)
}

function fromJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function fromYaml(file: string, text: string): Promise<unknown> {
  const { parse } = await yaml()
  try {
    return parse(text)
  } catch (error) {
    throw new UsageError(`${file} is not YAML: ${error instanceof Error ? error.message : String(error)}`)
  }
}

// An optional peer: most users of this package read no YAML.
async function yaml(): Promise<typeof import('yaml')> {
  try {
    return await import('yaml')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) throw error
    throw new Failure('YAML needs the package yaml: npm i yaml, or write the scenario as JSON', {
      cause: error,
    })
  }
}
