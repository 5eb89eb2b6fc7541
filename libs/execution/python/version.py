# In front of everything else that an interpreter of a user's choice is given: it may be too old to read the rest.
import sys

if sys.version_info < (3, 9):
    sys.exit('it is Python %d.%d.%d, and 3.9 or newer is needed' % tuple(sys.version_info[:3]))
