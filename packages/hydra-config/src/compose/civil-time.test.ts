import { expect, test } from 'vitest'
import { logTime, strftime } from './civil-time.ts'

const pattern =
  '%a %A %b %B %c %C %d %D %e %f %F %g %G %h %H %I %j %m %M %n %p %r %R %S %t %T %u %U %V %w %W %x %X %y %Y %z %Z %%|%k|%l|%P|%Q'

// What `datetime(…).strftime(pattern)` of Python 3.11 on Linux answers.
test.each([
  [
    new Date(2026, 0, 3, 4, 5, 6, 7),
    'Sat Saturday Jan January Sat Jan  3 04:05:06 2026 20 03 01/03/26  3 007000 2026-01-03 26 2026 Jan 04 04 003 01 05 \n AM 04:05:06 AM 04:05 06 \t 04:05:06 6 00 01 6 00 01/03/26 04:05:06 26 2026   %| 4| 4|am|%Q',
  ],
  [
    new Date(2024, 11, 30, 23, 59, 59, 999),
    'Mon Monday Dec December Mon Dec 30 23:59:59 2024 20 30 12/30/24 30 999000 2024-12-30 25 2025 Dec 23 11 365 12 59 \n PM 11:59:59 PM 23:59 59 \t 23:59:59 1 52 01 1 53 12/30/24 23:59:59 24 2024   %|23|11|pm|%Q',
  ],
  [
    new Date(2023, 0, 1),
    'Sun Sunday Jan January Sun Jan  1 00:00:00 2023 20 01 01/01/23  1 000000 2023-01-01 22 2022 Jan 00 12 001 01 00 \n AM 12:00:00 AM 00:00 00 \t 00:00:00 7 01 52 0 00 01/01/23 00:00:00 23 2023   %| 0|12|am|%Q',
  ],
  [
    new Date(2026, 6, 5, 12, 30, 0, 120),
    'Sun Sunday Jul July Sun Jul  5 12:30:00 2026 20 05 07/05/26  5 120000 2026-07-05 26 2026 Jul 12 12 186 07 30 \n PM 12:30:00 PM 12:30 00 \t 12:30:00 7 27 27 0 26 07/05/26 12:30:00 26 2026   %|12|12|pm|%Q',
  ],
])('strftime of %s is that of Python', (time, expected) => {
  expect(strftime(pattern, time.getTime())).toBe(expected)
})

test('a log has its time with milliseconds, or as its formatter says', () => {
  const epoch = new Date(2026, 6, 5, 2, 3, 4, 5).getTime()
  expect(logTime(epoch, undefined)).toBe('2026-07-05 02:03:04,005')
  expect(logTime(epoch, '%H:%M')).toBe('02:03')
})
