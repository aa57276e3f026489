import fc from 'fast-check'

// Before every test file: what is red in one run is red in the next. Fresh seeds are for whoever looks for faults.
const given = process.env['PROPERTY_SEED'] ?? '20261122'

if (given !== 'random') {
  const seed = Number(given)
  if (!/^-?\d+$/.test(given) || seed !== (seed | 0)) {
    throw new Error(`PROPERTY_SEED needs a whole number of 32 bits or 'random', but is '${given}'`)
  }
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed })
}
