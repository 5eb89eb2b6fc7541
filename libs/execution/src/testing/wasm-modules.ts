import { assembled } from './wat.js';

const imports = `
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (memory (export "memory") 2)`;

/** `write fd address length`: one buffer to a descriptor. */
const write = `
  (func $write (param $fd i32) (param $at i32) (param $length i32)
    i32.const 0 local.get $at i32.store
    i32.const 4 local.get $length i32.store
    local.get $fd i32.const 0 i32.const 1 i32.const 8 call $fd_write drop)`;

/** Copies what it reads, 64 KiB at a time. */
const echo = `(module ${imports} ${write}
  (func $start (export "_start") (local $length i32)
    loop $next
      i32.const 0 i32.const 65536 i32.store
      i32.const 4 i32.const 65536 i32.store
      i32.const 0 i32.const 0 i32.const 1 i32.const 8 call $fd_read drop
      i32.const 8 i32.load local.tee $length
      if
        i32.const 1 i32.const 65536 local.get $length call $write
        br $next
      end
    end))`;

const digit = (character: string, act: string): string => `
      local.get $first i32.const ${character.charCodeAt(0)} i32.eq
      if ${act} end`;

/**
 * Copies byte by byte; what the first character of an item is, decides: 3 complains and ends with code 3, 4 traps, 5 gives what is not JSON,
 * 6 a line too many, 7 no line, 8 never ends, 9 ends well in the middle of the part.
 */
const moody = `(module ${imports} ${write}
  (data (i32.const 100) "no threes here\\n")
  (data (i32.const 200) "oops")
  (data (i32.const 300) "1\\n")
  (func $start (export "_start") (local $first i32) (local $fresh i32) (local $mute i32)
    i32.const 1 local.set $fresh
    loop $next
      i32.const 0 i32.const 1000 i32.store
      i32.const 4 i32.const 1 i32.store
      i32.const 0 i32.const 0 i32.const 1 i32.const 8 call $fd_read drop
      i32.const 8 i32.load i32.eqz
      if return end
      i32.const 0 local.set $first
      local.get $fresh
      if
        i32.const 1000 i32.load8_u local.set $first
        i32.const 0 local.set $mute
      end
      ${digit('3', 'i32.const 2 i32.const 100 i32.const 15 call $write i32.const 3 call $proc_exit')}
      ${digit('4', 'unreachable')}
      ${digit('5', 'i32.const 1 i32.const 200 i32.const 4 call $write')}
      ${digit('6', 'i32.const 1 i32.const 300 i32.const 2 call $write')}
      ${digit('7', 'i32.const 1 local.set $mute')}
      ${digit('8', 'loop $ever br $ever end')}
      ${digit('9', 'return')}
      i32.const 1000 i32.load8_u i32.const 10 i32.eq local.set $fresh
      local.get $mute i32.eqz
      if i32.const 1 i32.const 1000 i32.const 1 call $write end
      br $next
    end))`;

/** For each line the text of its first argument, which has 6 characters. */
const argument = `(module ${imports} ${write}
  (data (i32.const 100) "\\"")
  (data (i32.const 110) "\\"\\n")
  (func $start (export "_start")
    i32.const 2000 i32.const 4000 call $args_get drop
    i32.const 1 i32.const 100 i32.const 1 call $write
    i32.const 1 i32.const 2004 i32.load i32.const 6 call $write
    i32.const 1 i32.const 110 i32.const 2 call $write))`;

/** Modules as a script's text has them. */
export const wasmModules = {
  echo: assembled(echo).toString('base64'),
  moody: assembled(moody).toString('base64'),
  argument: assembled(argument).toString('base64'),
  /** Is no command: it exports no _start. */
  library: assembled(`(module ${imports})`).toString('base64'),
} as const;
