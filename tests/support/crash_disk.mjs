// A disk whose power can be cut: an ext4 image on a loop device. Cutting shuts the file system down without writing its
// journal or anything else (FS_IOC_SHUTDOWN with NOLOGFLUSH), so whatever was not synced is gone when it is mounted again.
// Needs root.
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {mkdir, rm, truncate, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';

import {atEnd} from './weir_process.mjs';

const runProgram = promisify(execFile);
const defaultBytes = 1536 * 1024 * 1024;  // sparse; larger than the free space weir insists on
const shutdownRequest = '0x8004587d';   // _IOR('X', 125, __u32)
const noLogFlush = 2;

export class CrashDisk {
  static async create(t, directory, {bytes = defaultBytes} = {}) {
    assert.equal(process.getuid(), 0, 'a disk of its own needs root');
    const disk = new CrashDisk();
    disk.image = path.join(directory, 'disk.img');
    disk.mountPoint = path.join(directory, 'disk');
    await mkdir(disk.mountPoint);
    await writeFile(disk.image, '');
    await truncate(disk.image, bytes);
    await runProgram('mkfs.ext4', ['-q', '-F', disk.image]);
    await disk.mount();
    atEnd(t, async () => {
      await runProgram('umount', ['--lazy', disk.mountPoint]).catch(() => {});
      await rm(disk.image, {force: true});
    });
    return disk;
  }

  async mount() { await runProgram('mount', ['-o', 'loop', this.image, this.mountPoint]); }

  // From now on every write to it fails, and nothing that waited to be written ever is.
  async cutPower() {
    await runProgram('python3', ['-c',
      'import fcntl, os, struct, sys\n' +
      `fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), ${shutdownRequest}, struct.pack("I", ${noLogFlush}))`, this.mountPoint]);
  }

  // After everything that used it has ended: mounts what really reached the image.
  async powerOn() {
    await runProgram('umount', [this.mountPoint]);
    await this.mount();
  }
}
