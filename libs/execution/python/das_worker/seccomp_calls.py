"""
System calls by number: (x86_64, aarch64), None where there is none. From Linux 6.1, `asm/unistd_64.h` and `asm-generic/unistd.h`; numbers never change.
"""

# The last one that was looked at, set_mempolicy_home_node; above 424 the numbers are the same everywhere.
HIGHEST = 450

# Nothing that a script does for its user needs these: they are the ways out, or into the kernel.
DENIED = {
    # Into other processes.
    'ptrace': (101, 117),
    'process_vm_readv': (310, 270),
    'process_vm_writev': (311, 271),
    'process_madvise': (440, 440),
    'pidfd_getfd': (438, 438),
    'kcmp': (312, 272),
    # Another view of files.
    'mount': (165, 40),
    'umount2': (166, 39),
    'pivot_root': (155, 41),
    'chroot': (161, 51),
    'move_mount': (429, 429),
    'open_tree': (428, 428),
    'fsopen': (430, 430),
    'fsconfig': (431, 431),
    'fsmount': (432, 432),
    'fspick': (433, 433),
    'mount_setattr': (442, 442),
    'name_to_handle_at': (303, 264),
    'open_by_handle_at': (304, 265),
    'fanotify_init': (300, 262),
    'fanotify_mark': (301, 263),
    # New namespaces; those by clone and clone3 are looked for apart.
    'unshare': (272, 97),
    'setns': (308, 268),
    # Large, seldom audited parts of the kernel.
    'bpf': (321, 280),
    'perf_event_open': (298, 241),
    'userfaultfd': (323, 282),
    'io_uring_setup': (425, 425),
    'io_uring_enter': (426, 426),
    'io_uring_register': (427, 427),
    'keyctl': (250, 219),
    'add_key': (248, 217),
    'request_key': (249, 218),
    'lookup_dcookie': (212, 18),
    # The machine itself.
    'kexec_load': (246, 104),
    'kexec_file_load': (320, 294),
    'init_module': (175, 105),
    'finit_module': (313, 273),
    'delete_module': (176, 106),
    'reboot': (169, 142),
    'swapon': (167, 224),
    'swapoff': (168, 225),
    'quotactl': (179, 60),
    'quotactl_fd': (443, 443),
    'acct': (163, 89),
    'syslog': (103, 116),
    'settimeofday': (164, 170),
    'clock_settime': (227, 112),
    'adjtimex': (159, 171),
    'clock_adjtime': (305, 266),
    'sethostname': (170, 161),
    'setdomainname': (171, 162),
    'personality': (135, 92),
    'vhangup': (153, 58),
    'nfsservctl': (180, 42),
    'iopl': (172, None),
    'ioperm': (173, None),
    'modify_ldt': (154, None),
    'uselib': (134, None),
}

# Judged by their arguments.
JUDGED = {
    'clone': (56, 220),
    'clone3': (435, 435),
    'socket': (41, 198),
    'socketpair': (53, 199),
}
