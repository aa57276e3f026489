import { writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { compose, fromMemory, watch } from '@loadbearing/hydra-config'
import { defineApp } from '@loadbearing/hydra-config/app'
import { fromDir } from '@loadbearing/hydra-config/node'
import { fromSqlite } from '@loadbearing/hydra-config/sqlite'

/** What a runtime is asked to do: an app, whose job does the rest of it and says what came of it. */
export default defineApp(
  { config: 'config', configPath: 'conf', from: import.meta.url },
  async (config, { name, num }) => {
    if (num !== undefined) return
    const memory = fromMemory({ 'config.yaml': 'a: ${b}\nb: 1\n' })
    const composed = await compose({ source: memory, config: 'config', overrides: ['b=2'] })
    const table = fromSqlite(new DatabaseSync(':memory:'))
    table.migrate()
    await table.publish(new Map([['config.yaml', 'c: 3\n']]))
    const live = await watch({ source: fromDir('conf'), config: 'config' })
    const next = live[Symbol.asyncIterator]().next()
    writeFileSync('conf/db/pg.yaml', 'port: 5433\n')
    const { value: reload } = await next
    await live[Symbol.asyncDispose]()
    const told = {
      config,
      name,
      composed: composed.value,
      read: composed.explain('a').interpolation?.reads[0]?.origin.kind,
      table: (await compose({ source: table, config: 'config' })).value,
      reloaded: reload?.value,
    }
    console.log(JSON.stringify(told))
  },
)
