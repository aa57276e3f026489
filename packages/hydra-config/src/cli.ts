#!/usr/bin/env node
import { folderApp } from './adapters/folder-app.ts'
import { systemPlatform } from './adapters/system-platform.ts'
import { runCommandLine } from './cli/command-line.ts'
import { runTool } from './cli/tools.ts'

const argv = process.argv.slice(2)
const { app, rest } = folderApp(argv, systemPlatform)
process.exitCode =
  (await runTool(app, rest, systemPlatform)) ?? (await runCommandLine(app, rest, systemPlatform))
