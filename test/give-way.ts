// Loaded before a test that only thinks: its process gives way to those that somebody waits for.

import { constants, setPriority } from 'node:os'

setPriority(constants.priority.PRIORITY_LOW)
