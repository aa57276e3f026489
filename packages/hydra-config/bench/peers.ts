import { createRequire } from 'node:module'
import type { Prepared } from '@loadbearing/harness/bench'
import { type LoadConfigOptions, loadConfig } from 'c12'
import { defu } from 'defu'
import { load } from 'js-yaml'
import type { layers } from './tree.ts'

const require = createRequire(import.meta.url)

/** Two texts read and merged; no value knows where it is from. */
export function jsYamlAndDefu([base, over]: readonly [string, string]): Prepared<unknown> {
  return { call: () => defu(Object(load(over)), Object(load(base))) }
}

/** The two layers from files, as c12 reads them: `over.json` extends `base.json`. */
export function c12(folder: string): Prepared<unknown> {
  return c12Of({ cwd: folder, configFile: 'over.json' })
}

/** As {@link c12}, from YAML, which it reads each time. */
export function c12OfYaml(folder: string): Prepared<unknown> {
  return c12Of({ cwd: folder, configFile: 'over.yaml' })
}

/** As {@link c12}, each time with an override that was not there before. */
export function c12Varied(folder: string): Prepared<unknown> {
  let port = 0
  return c12Of(() => ({ cwd: folder, configFile: 'over.json', overrides: { group_7: { port: port++ } } }))
}

function c12Of(options: LoadConfigOptions | (() => LoadConfigOptions)): Prepared<unknown> {
  return {
    call: async () => {
      const { config } = await loadConfig({
        ...(typeof options === 'function' ? options() : options),
        rcFile: false,
        globalRc: false,
        dotenv: false,
        packageJson: false,
      })
      return config
    },
    answer: (config) => {
      const { extends: _, ...rest } = Object(config)
      return rest
    },
  }
}

/** The two layers from files, as node-config reads them: `default.json` and `production.json`. */
export function nodeConfig(folder: string): Prepared<unknown> {
  const { Load } = require('config/lib/util.js')
  const options = { configDir: folder, nodeEnv: ['production'], gitCrypt: false }
  return { call: () => new Load(options).scan() }
}

/** The two layers from memory, each value checked by convict's own schema. */
export function convict({ base, over }: ReturnType<typeof layers>): Prepared<unknown> {
  const make = require('convict')
  const schema = Object.fromEntries(
    Object.entries(base).map(([group, values]) => [
      group,
      Object.fromEntries(
        Object.entries(values).map(([key, value]) => [key, { default: value, format: formatOf(value) }]),
      ),
    ]),
  )
  return {
    call: () => {
      const config = make(schema)
      config.load(over)
      config.validate()
      return config.getProperties()
    },
  }
}

function formatOf(value: unknown): unknown {
  return typeof value === 'number' ? Number : typeof value === 'boolean' ? Boolean : String
}
