import NIOCore

/// Spares requests that repeat the one before on their connection what was done for that one; the first handler of the pipeline.
///
/// A client that asks again and again sends the same octets each time, and to read them is a good part of what a small answer
/// costs (docs/benchmarks.md). Where the answer lasts its bytes go out again, else the request as it was read goes to the end
/// of the pipeline. Everything else passes. Belongs to the event loop.
final class RepetitionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let connection: HTTPConnectionHandler
    private let responder: any ExchangeResponder
    private var memory = RequestMemory()

    /// - Parameters:
    ///   - connection: the end of the same pipeline.
    ///   - responder: knows how long answers last.
    init(before connection: HTTPConnectionHandler, _ responder: any ExchangeResponder) {
        self.connection = connection
        self.responder = responder
    }

    /// The request under way has its answer, which may be given again unless it is nil.
    ///
    /// To be called before the answer is written.
    func answered(_ exchange: ExchangeQueue.Exchange, with answer: RememberedAnswer?) {
        memory.answered(exchange, with: answer)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let start = ContinuousClock.now
        let isAtRest = connection.isAtRest && context.channel.isWritable
        switch memory.recall(unwrapInboundIn(data), version: responder.contentVersion, isAtRest: isAtRest) {
        case nil: context.fireChannelRead(data)
        case .request(let exchange): connection.receive(exchange)
        case .answer(let answer):
            write(answer, context)
            connection.noteExchange()
            answer.record(ContinuousClock.now - start)
        }
    }

    private func write(_ answer: RememberedAnswer, _ context: ChannelHandlerContext) {
        var bytes = answer.bytes
        let second = ResponseBytes.currentSecond
        if bytes.second != second {
            bytes = bytes.dated(second)
            memory.refresh(bytes)
        }
        context.writeAndFlush(wrapOutboundOut(bytes.buffer), promise: nil)
    }
}
