import NIOCore
import NIOPosix
import NetTypes
import ServiceRouting
import Synchronization

extension NIORelayLoop {
    /// Room for the largest datagram.
    static let datagramAllocator = FixedSizeRecvByteBufferAllocator(capacity: 65_536)

    /// Passes on what a client has sent to a frontend; answers go out by `source`, the frontend's own channel.
    func forward(_ datagram: ByteBuffer, from client: SocketEndpoint, at place: Token.Place, source: any Channel) {
        guard let frontend = frontends[place] else { return }
        if let flow = frontend.flows[client].flatMap({ flows[$0] }) { return send(datagram, over: flow) }
        open(for: client, at: frontend, tried: [], source: source, first: [datagram])
    }

    private func send(_ datagram: ByteBuffer, over flow: NIOFlow) {
        flow.lastUse = settings.clock()
        guard let channel = flow.channel else { return flow.keep(datagram) }
        // Full buffers lose datagrams, as everywhere on the way.
        guard channel.isWritable else { return }
        channel.writeAndFlush(datagram).assumeIsolated().whenComplete { result in
            switch result {
            case .success: self.sent(datagram.readableBytes, over: flow)
            case .failure(let error): self.sendElsewhere(datagram, than: flow, because: error)
            }
        }
    }

    private func sent(_ count: Int, over flow: NIOFlow) {
        guard flows[flow.place] != nil else { return }
        flow.record.pointee.bytesToEndpoint += UInt64(count)
    }

    /// An endpoint that answers "port unreachable" loses the flow; the datagram goes to another.
    private func sendElsewhere(_ datagram: ByteBuffer, than flow: NIOFlow, because error: any Error) {
        // Too large, for one: no other endpoint would get it either.
        guard !(error is ChannelError), let frontend = frontends[flow.frontend] else { return }
        fail(flow)
        if let next = frontend.flows[flow.client].flatMap({ flows[$0] }) { return send(datagram, over: next) }
        open(
            for: flow.client, at: frontend, tried: flow.tried + [flow.endpoint], source: flow.source,
            first: [datagram])
    }

    /// Opens a flow to an endpoint that was not tried, for the first datagrams; without one they are lost.
    private func open(
        for client: SocketEndpoint, at frontend: ServedFrontend, tried: [SocketEndpoint], source: any Channel,
        first datagrams: [ByteBuffer]
    ) {
        let verdict = frontend.route.verdict(for: client.address)
        let now = settings.clock()
        guard case .forward(let list) = verdict, flows.count < settings.maximumFlows,
            tried.count < max(1, settings.dialTimeouts.count),
            let (index, reason) = frontend.pick(
                from: list, tried: tried, for: client.address, with: &picker, now: now),
            gate.enterFlow()
        else { return }
        let record = frontend.records(for: verdict)[index]
        record.pointee.active += 1
        let flow = NIOFlow(
            client: client, place: flows.newPlace(), frontend: frontend.place, source: source, record: record,
            tried: tried, waiting: datagrams, lastUse: now)
        flows.insert(flow)
        frontend.flows[client] = flow.place
        flowDeadlines.append(flow.place, now: now)
        lookAtDeadlines()
        connect(flow, to: list.endpoints[index], reason)
    }

    private func connect(_ flow: NIOFlow, to endpoint: RoutedEndpoint, _ reason: ChoiceReason) {
        let handler = NIOLoopBound(NIOFlowHandler(loop: self, flow: flow), eventLoop: eventLoop)
        DatagramBootstrap(group: eventLoop)
            .channelOption(.recvAllocator, value: Self.datagramAllocator)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(handler.value)
                }
            }
            .connect(to: flow.record.pointee.address.forNIO)
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success(let channel): self.begin(flow, over: channel, to: endpoint, reason)
                case .failure: self.fail(flow)
                }
            }
    }

    private func begin(_ flow: NIOFlow, over channel: any Channel, to endpoint: RoutedEndpoint, _ reason: ChoiceReason)
    {
        let datagrams = flow.open(channel)
        guard flows[flow.place] != nil, let frontend = frontends[flow.frontend] else {
            return channel.close(promise: nil)
        }
        flow.record.pointee.connections += 1
        if settings.hub.hasReaders {
            settings.hub.send(
                ConnectionEvent(
                    client: flow.client, frontend: frontend.route.frontend, port: frontend.route.port,
                    endpoint: endpoint, reason: reason))
        }
        for datagram in datagrams { send(datagram, over: flow) }
    }

    /// Passes an endpoint's answer back to the client, from the address that the client knows.
    func answer(_ datagram: ByteBuffer, of flow: NIOFlow) {
        guard flows[flow.place] != nil, flow.source.isWritable else { return }
        flow.lastUse = settings.clock()
        flow.record.pointee.bytesToClient += UInt64(datagram.readableBytes)
        let envelope = AddressedEnvelope(remoteAddress: SocketAddress(flow.client).forNIO, data: datagram)
        flow.source.writeAndFlush(envelope, promise: nil)
    }

    /// Ends a flow whose endpoint is dead, and with it the client's affinity; what still waits goes to another endpoint.
    func fail(_ flow: NIOFlow) {
        guard flows[flow.place] != nil else { return }
        flow.record.pointee.dialFailures += 1
        guard let frontend = frontends[flow.frontend] else { return }
        frontend.choice?.state.withLock { $0.affinity?.forget(flow.client.address) }
        let waiting = flow.waiting
        close(flow.place, of: frontend)
        guard !waiting.isEmpty else { return }
        open(
            for: flow.client, at: frontend, tried: flow.tried + [flow.endpoint], source: flow.source, first: waiting)
    }

    /// Ends the flows to endpoints that serve no more, if there are others (7.11).
    func moveFlows(of frontend: ServedFrontend) {
        guard !frontend.flows.isEmpty, !frontend.route.serving.isEmpty else { return }
        let serving = Set(frontend.route.serving)
        for place in Array(frontend.flows.values) {
            guard let flow = flows[place], !serving.contains(flow.record.pointee.key.endpoint) else { continue }
            close(place, of: frontend)
        }
    }

    func close(_ place: Token.Place, of frontend: ServedFrontend) {
        guard let flow = flows.remove(place) else { return }
        frontend.flows[flow.client] = nil
        records.leave(flow.record)
        gate.leaveFlow()
        flow.channel?.close(promise: nil)
    }

    // MARK: - Idle flows

    /// Has the event loop look when the next flow may have been idle for too long.
    private func lookAtDeadlines() {
        guard !isLookScheduled, let due = flowDeadlines.nextDue else { return }
        isLookScheduled = true
        let wait = due - min(due, settings.clock())
        eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(Int64(clamping: wait))) {
            self.isLookScheduled = false
            self.closeIdleFlows()
            self.lookAtDeadlines()
        }
    }

    /// Ends the flows that nothing used for the idle time.
    func closeIdleFlows() {
        let now = settings.clock()
        while let place = flowDeadlines.popDue(now: now) {
            guard let flow = flows[place], let frontend = frontends[flow.frontend] else { continue }
            if flow.lastUse + flowDeadlines.delay > now {
                // Used meanwhile: looked at again one whole timeout later.
                flowDeadlines.append(place, now: now)
            } else {
                close(place, of: frontend)
            }
        }
    }
}
