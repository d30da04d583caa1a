"""Makes a shared library of the object files that LLVM writes, so that compiling a model needs no C toolchain.

A robot's runtime image seldom has one, and a laptop seldom has one for the robot's processor. Kernels need little of a
linker: no static libraries, no thread-local storage, no exceptions, a handful of relocations. Anything else
is refused. Formats and names are those of the ELF specification (System V ABI, and its x86-64 and AArch64 supplements).
"""
