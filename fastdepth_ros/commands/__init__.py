"""The sub-commands of ``fastdepth``, a module each. Nobody imports them but the command line."""
