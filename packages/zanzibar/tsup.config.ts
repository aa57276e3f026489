import { preset } from '@loadbearing/tooling/tsup'

export default preset()
