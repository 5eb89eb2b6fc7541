# Run by `python3 -I -S -c` after install.py and a line `texts = {name: text}`: shuts itself in, then becomes another program, which cannot get out.
# Argument 1, JSON: {"shutIn": as das_worker/shut_in.py takes it, "limits": {…}, "exec": [file, …]}
import json, os

package = install(texts.items(), from_text)
words = json.loads(sys.argv[1])
package.limits.confine(words['limits'])
package.shut_in.shut_in(words['shutIn'])
package.limits.become(words['exec'], os.environ)
