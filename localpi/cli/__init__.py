"""The command line: parse, call, print. stdout is data, stderr is narration, the exit code is the answer."""
