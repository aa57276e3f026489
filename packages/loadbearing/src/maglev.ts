export * from '@loadbearing/maglev'
