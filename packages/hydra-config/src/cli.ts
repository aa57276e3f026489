#!/usr/bin/env node
import { folderApp } from './adapters/folder-app.ts'
import { systemPlatform } from './adapters/system-platform.ts'
import { runCommandLine } from './cli/command-line.ts'
import { linePlaces } from './cli/line-places.ts'
import { runTool } from './cli/tools.ts'

const argv = process.argv.slice(2)
const places = linePlaces(argv, process.env['COMP_LINE'] ?? '')
const { app, rest } = folderApp([...argv, ...places], systemPlatform)
process.exitCode =
  (await runTool(app, rest, systemPlatform)) ?? (await runCommandLine(app, rest, systemPlatform))
