export * from '@loadbearing/hydra-config'
