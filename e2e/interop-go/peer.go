// A node of HashiCorp memberlist driven by lines: JSON commands on stdin, JSON events on stdout. It ends when stdin ends,
// so that it never outlives the test that started it. Bytes are base64 in both directions. The same lines drive our own
// node (e2e/src/interop/our-peer.mjs).
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// The longest line on stdin: a user message of some hundred kilobytes fits.
const lineBytesMax = 4 << 20

const broadcastTimeout = 30 * time.Second

type command struct {
	ID       int      `json:"id"`
	Do       string   `json:"do"`
	To       []string `json:"to"`
	Node     string   `json:"node"`
	Data     []byte   `json:"data"`
	Reliable bool     `json:"reliable"`
}

type event struct {
	Event   string      `json:"event"`
	ID      int         `json:"id,omitempty"`
	Node    string      `json:"node,omitempty"`
	Address string      `json:"address,omitempty"`
	Data    []byte      `json:"data,omitempty"`
	Join    bool        `json:"join,omitempty"`
	Text    string      `json:"text,omitempty"`
	Value   interface{} `json:"value,omitempty"`
	Error   string      `json:"error,omitempty"`
}

type member struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Meta    []byte `json:"meta"`
}

var out sync.Mutex

func emit(e event) {
	line, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	out.Lock()
	defer out.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

// logLines turns memberlist's own log, the only place where it tells of suspicions, into events.
type logLines struct{}

func (logLines) Write(text []byte) (int, error) {
	emit(event{Event: "log", Text: strings.TrimSpace(string(text))})
	return len(text), nil
}

// peer answers memberlist's questions and tells what happens.
type peer struct {
	lock  sync.Mutex
	meta  []byte
	state []byte
	queue *memberlist.TransmitLimitedQueue
}

func (p *peer) NodeMeta(limit int) []byte {
	p.lock.Lock()
	defer p.lock.Unlock()
	return p.meta
}

func (p *peer) NotifyMsg(data []byte) {
	emit(event{Event: "message", Data: append([]byte{}, data...)})
}

func (p *peer) GetBroadcasts(overhead, limit int) [][]byte {
	return p.queue.GetBroadcasts(overhead, limit)
}

func (p *peer) LocalState(join bool) []byte {
	p.lock.Lock()
	defer p.lock.Unlock()
	return p.state
}

func (p *peer) MergeRemoteState(data []byte, join bool) {
	emit(event{Event: "merged", Data: append([]byte{}, data...), Join: join})
}

func (p *peer) NotifyJoin(n *memberlist.Node)   { emitMember("join", n) }
func (p *peer) NotifyLeave(n *memberlist.Node)  { emitMember("leave", n) }
func (p *peer) NotifyUpdate(n *memberlist.Node) { emitMember("update", n) }

func emitMember(change string, n *memberlist.Node) {
	emit(event{Event: change, Node: n.Name, Address: n.Address(), Data: append([]byte{}, n.Meta...)})
}

// broadcast is a gossiped user message; it is answered when it was sent often enough.
type broadcast struct {
	data []byte
	id   int
}

func (b *broadcast) Invalidates(memberlist.Broadcast) bool { return false }
func (b *broadcast) Message() []byte                       { return b.data }
func (b *broadcast) Finished()                             { emit(event{Event: "answer", ID: b.id}) }

func main() {
	if len(os.Args) != 2 {
		fail("usage: peer '{\"name\":…,\"bind\":…,\"profile\":…}'")
	}
	var o options
	if err := json.Unmarshal([]byte(os.Args[1]), &o); err != nil {
		fail(err.Error())
	}
	config, err := configOf(o)
	if err != nil {
		fail(err.Error())
	}
	p := &peer{meta: o.Meta, state: o.State}
	// Asked by memberlist's own goroutines, possibly before Create returned the list that knows the true number.
	var size sync.Map
	p.queue = &memberlist.TransmitLimitedQueue{RetransmitMult: config.RetransmitMult, NumNodes: func() int {
		if list, made := size.Load("list"); made {
			return list.(*memberlist.Memberlist).NumMembers()
		}
		return 1
	}}
	config.Delegate = p
	config.Events = p
	list, err := memberlist.Create(config)
	if err != nil {
		fail(err.Error())
	}
	size.Store("list", list)
	emit(event{Event: "ready", Node: o.Name, Address: list.LocalNode().Address()})
	p.obey(list)
}

func fail(problem string) {
	fmt.Fprintln(os.Stderr, problem)
	os.Exit(2)
}

// obey performs commands until stdin ends. Each has a goroutine: one that waits does not hold up the next.
func (p *peer) obey(list *memberlist.Memberlist) {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, lineBytesMax)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			fail(err.Error())
		}
		go func() {
			if c.Do == "gossip" {
				p.queue.QueueBroadcast(&broadcast{data: c.Data, id: c.ID})
				return
			}
			value, err := p.perform(list, c)
			answer := event{Event: "answer", ID: c.ID, Value: value}
			if err != nil {
				answer.Error = err.Error()
			}
			emit(answer)
		}()
	}
}

func (p *peer) perform(list *memberlist.Memberlist, c command) (interface{}, error) {
	switch c.Do {
	case "join":
		return list.Join(c.To)
	case "leave":
		return nil, list.Leave(broadcastTimeout)
	case "meta":
		p.lock.Lock()
		p.meta = c.Data
		p.lock.Unlock()
		return nil, list.UpdateNode(broadcastTimeout)
	case "state":
		p.lock.Lock()
		p.state = c.Data
		p.lock.Unlock()
		return nil, nil
	case "send":
		return nil, send(list, c)
	case "members":
		members := []member{}
		for _, n := range list.Members() {
			members = append(members, member{Name: n.Name, Address: n.Address(), Meta: n.Meta})
		}
		return members, nil
	}
	return nil, fmt.Errorf("unknown command %q", c.Do)
}

func send(list *memberlist.Memberlist, c command) error {
	for _, n := range list.Members() {
		if n.Name != c.Node {
			continue
		}
		if c.Reliable {
			return list.SendReliable(n, c.Data)
		}
		return list.SendBestEffort(n, c.Data)
	}
	return fmt.Errorf("no member is called %q", c.Node)
}
