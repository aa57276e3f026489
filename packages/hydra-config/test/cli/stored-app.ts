import { configStore, int, str, structured } from '@loadbearing/hydra-config'
import { defineApp } from '@loadbearing/hydra-config/app'

const DB = structured('DB', { host: str(), port: int(5432) })

/** An app whose command line is checked by structured configs. */
export default defineApp(
  { config: 'config', configPath: 'stored-conf', store: configStore({ 'db/base_db': DB }) },
  (config) => console.log(JSON.stringify(config)),
)
