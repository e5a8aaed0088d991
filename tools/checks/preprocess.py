#!/usr/bin/env python3
"""preprocess.py BUILD --list: our sources in BUILD's compilation database.
preprocess.py BUILD SOURCE: SOURCE as its compiler sees it, on stdout."""
import json
import os
import shlex
import subprocess
import sys

build, wanted = sys.argv[1:3]
root = os.getcwd()
with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as database:
    entries = json.load(database)

if wanted == "--list":
    for source in sorted({os.path.relpath(entry["file"], root) for entry in entries}):
        inside = not source.startswith("..") and not source.startswith("build")
        if inside and source.endswith(".cc"):
            print(source)
    sys.exit(0)

for entry in entries:
    if os.path.relpath(entry["file"], root) != wanted:
        continue
    command = shlex.split(entry["command"])
    if os.path.basename(command[0]) == "ccache":
        command = command[1:]
    output = command.index("-o")
    del command[output : output + 2]
    command[command.index("-c")] = "-E"
    sys.exit(subprocess.run(command, cwd=entry["directory"], check=False).returncode)
sys.exit(f"{wanted} is not in {build}/compile_commands.json")
