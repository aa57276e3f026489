export * from '@loadbearing/zanzibar'
