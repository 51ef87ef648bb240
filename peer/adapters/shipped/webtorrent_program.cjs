// WebTorrent as a program: node webtorrent_program.cjs PACKAGE seed|leech TORRENT FOLDER HOST PORT GATE [NODES]
//
// PACKAGE is the folder of the npm package webtorrent (version 1). It prints lines of JSON: `up` when it listens; then
// its state once a second, and at once when something happens. It joins when there is something to read in the pipe
// GATE, and ends at SIGTERM, after it has told that to the tracker. With NODES, addresses separated by commas, it uses
// the DHT, and joins it by them.
'use strict'

const fs = require('fs')
const { createRequire } = require('module')
const path = require('path')

const [packageFolder, role, torrentFile, folder, host, port, gate, nodes] = process.argv.slice(2)
const fromPackage = createRequire(path.join(packageFolder, 'index.js'))

// Peers come from the tracker only, and from the DHT if that is wanted. There is no option against the exchange of
// peers, but without this module there is none, as in the build for browsers.
const exchange = fromPackage.resolve('ut_pex')
require.cache[exchange] = { id: exchange, filename: exchange, loaded: true, exports: null }
const WebTorrent = fromPackage(packageFolder)

const client = new WebTorrent({
  dht: nodes === undefined ? false : { bootstrap: nodes.split(',').filter(Boolean) },
  dhtPort: Number(port),
  lsd: false,
  utp: false,
  webSeeds: false,
  natUpnp: false,
  torrentPort: Number(port)
})
let torrent = null
let isAnnounced = false
let problem = ''
let ended = new Map()
const gone = { received: 0, sent: 0 }

function say (line) {
  fs.writeSync(1, JSON.stringify(line) + '\n')
}

function rowOf (wire) {
  const host = String(wire.remoteAddress).replace('::ffff:', '')
  return [`${host}:${wire.remotePort}`, wire.type === 'tcpOutgoing', wire.downloaded, wire.uploaded]
}

function tell () {
  if (torrent === null) return
  const rows = new Map(ended)
  const open = torrent.wires || []
  for (const wire of open) rows.set(rowOf(wire)[0], rowOf(wire))
  ended = new Map()
  say({
    kind: 'state',
    is_complete: torrent.done === true,
    have: torrent.ready ? torrent.downloaded : 0,
    // Its own totals count messages too; those of connections count blocks.
    received: open.reduce((sum, wire) => sum + wire.downloaded, gone.received),
    sent: open.reduce((sum, wire) => sum + wire.uploaded, gone.sent),
    is_announced: isAnnounced,
    problem,
    neighbours: [...rows.values()].filter(([address]) => !address.startsWith('undefined'))
  })
}

function join () {
  torrent = client.add(fs.readFileSync(torrentFile), { path: folder })
  torrent.on('done', tell)
  torrent.on('trackerAnnounce', () => { isAnnounced = true; tell() })
  torrent.on('wire', wire => wire.on('close', () => {
    const row = rowOf(wire)
    ended.set(row[0], row)
    gone.received += wire.downloaded
    gone.sent += wire.uploaded
  }))
  setInterval(tell, 1000)
}

client.on('error', error => {
  problem = String(error.message || error)
  if (torrent === null) throw error
  tell()
})
process.on('SIGTERM', () => {
  tell()
  client.destroy(() => process.exit(0))
})
client.once('listening', () => {
  // It asks the DHT when it joins, and then for a quarter of an hour no more: by then it has to know nodes.
  if (client.dht && !client.dht.ready) client.dht.once('ready', wait)
  else wait()
})

function wait () {
  say({ kind: 'up' })
  fs.readFile(gate, error => { if (error) { throw error } join() })
}
