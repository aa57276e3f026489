export * as maglev from '@loadbearing/maglev'
