//! Makes the wall clock jump, for the processes of one system only.
//!
//! Programs read the time through the vDSO, code that the kernel maps into every process. [`Clocks`] replaces this code in each
//! process with a system call and an addition, through `/proc/<pid>/mem`. The written pages become private to the process, so the
//! machine's clock and all other processes are not affected.
//!
//! glibc's timed waits, which librdkafka uses, end at a time of the kernel's clock, so the difference is subtracted from that time.
//! All other waits, including those of Restate, last for a duration by the monotonic clock.

use std::fs::{File, OpenOptions, read_dir, read_to_string};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use anyhow::{Context, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use object::{Object, ObjectSymbol};

use crate::{SOON, eventually};

/// The clocks of some processes. Processes that are started later use the machine's clock.
pub struct Clocks(Vec<Process>);

struct Process {
    memory: File,
    /// The address in its memory of the number of seconds that its clock is ahead.
    ahead: u64,
}

impl Clocks {
    /// Takes over the clocks of these processes, which stay right until [`set_ahead`](Self::set_ahead) is called. If the machine
    /// does not allow that, prints so and returns `None`.
    pub async fn of(pids: impl IntoIterator<Item = i32>) -> anyhow::Result<Option<Self>> {
        if cfg!(not(all(target_os = "linux", target_arch = "x86_64"))) {
            eprintln!("SKIPPED: clocks can be made to jump on Linux on x86-64 only");
            return Ok(None);
        }
        let mut processes = Vec::new();
        for pid in pids {
            let memory = match memory_of(pid) {
                Ok(memory) => memory,
                Err(error) => {
                    eprintln!("SKIPPED: /proc/{pid}/mem cannot be written: {error}");
                    return Ok(None);
                }
            };
            let process = Process::take_over(pid, memory).await;
            processes.push(process.with_context(|| format!("the clock of process {pid}"))?);
        }
        Ok(Some(Self(processes)))
    }

    /// Sets all these clocks ahead of the machine's clock by this many seconds, or behind it if negative.
    pub fn set_ahead(&self, seconds: i64) -> anyhow::Result<()> {
        for Process { memory, ahead } in &self.0 {
            memory.write_all_at(&seconds.to_le_bytes(), *ahead)?;
        }
        Ok(())
    }
}

/// The memory of a process, if its code may be replaced.
fn memory_of(pid: i32) -> std::io::Result<File> {
    let path = format!("/proc/{pid}/mem");
    let memory = OpenOptions::new().read(true).write(true).open(path)?;
    let maps = read_to_string(format!("/proc/{pid}/maps"))?;
    if let Some((vdso, _)) = mapping(&maps, "[vdso]") {
        let mut byte = [0];
        memory.read_exact_at(&mut byte, vdso.start)?;
        memory.write_all_at(&byte, vdso.start)?;
    }
    Ok(memory)
}

impl Process {
    async fn take_over(pid: i32, memory: File) -> anyhow::Result<Self> {
        let maps = read_to_string(format!("/proc/{pid}/maps"))?;
        let (vdso, _) = mapping(&maps, "[vdso]").context("it has no vDSO")?;
        let mut image = vec![0; usize::try_from(vdso.end - vdso.start)?];
        memory.read_exact_at(&mut image, vdso.start)?;
        let clock_gettime = functions(&image, vdso.start, "__vdso_clock_gettime")?;
        // The data is placed after the new code, in the rest of the kernel's function of about 900 bytes.
        let ahead = clock_gettime[0] + 64;
        let mut patches = vec![(ahead, 0_i64.to_le_bytes().to_vec())];
        patches.extend(
            clock_gettime
                .iter()
                .map(|at| (*at, code(CLOCK_GETTIME, ahead))),
        );
        for at in functions(&image, vdso.start, "__vdso_gettimeofday")? {
            patches.push((at, code(GETTIMEOFDAY, ahead)));
        }
        if let Some((libc, path)) = mapping(&maps, "/libc.so.6") {
            let image = std::fs::read(path)?;
            let wait = functions(&image, libc.start, "pthread_cond_clockwait")?[0];
            let until = [code(SUBTRACT, ahead), code(CALL, wait)].concat();
            patches.push((ahead + 8, until));
            // Includes the old version of the symbol, for very old programs, which none of ours call.
            for at in functions(&image, libc.start, "pthread_cond_timedwait")? {
                patches.push((at, code(JUMP, ahead + 8)));
            }
        }
        let pid = Pid::from_raw(pid);
        eventually("no thread to be reading the clock", SOON, async || {
            let replaced = replace(pid, &memory, &vdso, &patches);
            replaced.map_err(|error| format!("{error:#}"))
        })
        .await;
        Ok(Self { memory, ahead })
    }
}

/// The address range of a mapped file in a process, and the file's path.
fn mapping<'a>(maps: &'a str, name: &str) -> Option<(Range<u64>, &'a str)> {
    let line = maps.lines().find(|line| line.ends_with(name))?;
    let (begin, end) = line.split_once(' ')?.0.split_once('-')?;
    let address = |hexadecimal| u64::from_str_radix(hexadecimal, 16).ok();
    Some((address(begin)?..address(end)?, line.split(' ').next_back()?))
}

/// The addresses of the function `name` in a process that has mapped `image` at `begin`: one for each version of the symbol.
fn functions(image: &[u8], begin: u64, name: &str) -> anyhow::Result<Vec<u64>> {
    let image = object::File::parse(image)?;
    let found: Vec<u64> = (image.dynamic_symbols())
        .filter(|symbol| symbol.name() == Ok(name))
        .map(|symbol| begin + symbol.address())
        .collect();
    ensure!(!found.is_empty(), "there is no {name}");
    Ok(found)
}

/// Writes the patches while the process is stopped. Fails if one of its threads is in the code to be replaced.
fn replace(
    pid: Pid,
    memory: &File,
    vdso: &Range<u64>,
    patches: &[(u64, Vec<u8>)],
) -> anyhow::Result<()> {
    kill(pid, Signal::SIGSTOP)?;
    let replaced = stands_elsewhere(pid, vdso, patches).and_then(|()| {
        for (at, code) in patches {
            memory.write_all_at(code, *at)?;
        }
        Ok(())
    });
    kill(pid, Signal::SIGCONT)?;
    replaced
}

/// Fails unless all threads of a process have stopped outside of the code to be replaced.
fn stands_elsewhere(pid: Pid, vdso: &Range<u64>, patches: &[(u64, Vec<u8>)]) -> anyhow::Result<()> {
    for thread in read_dir(format!("/proc/{pid}/task"))? {
        let thread = thread?.path();
        let stat = read_to_string(thread.join("stat"))?;
        let state = stat.rsplit(") ").next().unwrap_or_default();
        ensure!(state.starts_with('T'), "a thread still runs: {stat}");
        // The last number is the address of the next instruction.
        let registers = read_to_string(thread.join("syscall"))?;
        let next = registers.trim_end().rsplit("0x").next().unwrap_or_default();
        let next = u64::from_str_radix(next, 16)?;
        let mut replaced = (patches.iter()).map(|(at, code)| *at..at + code.len() as u64);
        let is_there = vdso.contains(&next) || replaced.any(|code| code.contains(&next));
        ensure!(!is_there, "a thread reads the clock");
    }
    Ok(())
}

/// Machine code before and after an address of 8 bytes.
type Code = (&'static [u8], &'static [u8]);

fn code((before, after): Code, address: u64) -> Vec<u8> {
    [before, &address.to_le_bytes(), after].concat()
}

/// `clock_gettime(edi, rsi)`: the system call, and then the addition if it succeeded for a wall clock (0 or 5).
#[rustfmt::skip]
const CLOCK_GETTIME: Code = (
    &[
        0xb8, 228, 0, 0, 0, // mov eax, 228
        0x0f, 0x05,         // syscall
        0x85, 0xc0,         // test eax, eax
        0x75, 25,           // jnz end
        0x85, 0xff,         // test edi, edi
        0x74, 5,            // jz add
        0x83, 0xff, 5,      // cmp edi, 5
        0x75, 16,           // jne end
        0x48, 0xb9,         // add: mov rcx, the address
    ],
    &[
        0x48, 0x8b, 0x09,   // mov rcx, [rcx]
        0x48, 0x01, 0x0e,   // add [rsi], rcx
        0xc3,               // end: ret
    ],
);
/// `gettimeofday(rdi, rsi)`: the system call, and then the addition unless only the time zone is requested.
#[rustfmt::skip]
const GETTIMEOFDAY: Code = (
    &[
        0xb8, 96, 0, 0, 0,  // mov eax, 96
        0x0f, 0x05,         // syscall
        0x48, 0x85, 0xff,   // test rdi, rdi
        0x74, 16,           // jz end
        0x48, 0xb9,         // mov rcx, the address
    ],
    &[
        0x48, 0x8b, 0x09,   // mov rcx, [rcx]
        0x48, 0x01, 0x0f,   // add [rdi], rcx
        0xc3,               // end: ret
    ],
);
/// `pthread_cond_timedwait(rdi, rsi, rdx)`: jumps to the address …
#[rustfmt::skip]
const JUMP: Code = (
    &[0x48, 0xb8],          // mov rax, the address
    &[0xff, 0xe0],          // jmp rax
);
/// … where the difference is subtracted from the time `rdx`, on the stack …
#[rustfmt::skip]
const SUBTRACT: Code = (
    &[
        0x48, 0x83, 0xec, 24,           // sub rsp, 24
        0x48, 0xb9,                     // mov rcx, the address
    ],
    &[
        0x48, 0x8b, 0x02,               // mov rax, [rdx]
        0x48, 0x2b, 0x01,               // sub rax, [rcx]
        0x48, 0x89, 0x04, 0x24,         // mov [rsp], rax
        0x48, 0x8b, 0x42, 8,            // mov rax, [rdx + 8]
        0x48, 0x89, 0x44, 0x24, 8,      // mov [rsp + 8], rax
        0x48, 0x89, 0xe1,               // mov rcx, rsp
        0x31, 0xd2,                     // xor edx, edx: the wall clock
    ],
);
/// … and `pthread_cond_clockwait(rdi, rsi, edx, rcx)` waits.
#[rustfmt::skip]
const CALL: Code = (
    &[0x48, 0xb8],              // mov rax, the address
    &[
        0xff, 0xd0,             // call rax
        0x48, 0x83, 0xc4, 24,   // add rsp, 24
        0xc3,                   // ret
    ],
);
