import NIOCore

/// Answers requests that repeat the one before on their connection with the bytes of its answer; the first handler of the pipeline.
///
/// A client that asks again and again sends the same octets each time, and most of a small answer's cost would be reading them
/// and writing the same answer (docs/benchmarks.md). Everything else passes. Belongs to the event loop.
final class RepetitionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let connection: HTTPConnectionHandler
    private let lasting: LastingAnswers
    private var memory = AnswerMemory()

    /// - Parameter connection: the end of the same pipeline.
    init(before connection: HTTPConnectionHandler, lasting: LastingAnswers) {
        self.connection = connection
        self.lasting = lasting
    }

    /// The request under way has its answer, which may be given again unless it is nil.
    ///
    /// To be called before the answer is written.
    func answered(with answer: RememberedAnswer?) { memory.answered(with: answer) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let start = ContinuousClock.now
        let isAtRest = connection.isAtRest && context.channel.isWritable
        guard
            let answer = memory.recall(unwrapInboundIn(data), version: lasting.version(), isAtRest: isAtRest)
        else { return context.fireChannelRead(data) }
        var bytes = answer.bytes
        let second = ResponseBytes.currentSecond
        if bytes.second != second {
            bytes = bytes.dated(second)
            memory.refresh(bytes)
        }
        context.writeAndFlush(wrapOutboundOut(bytes.buffer), promise: nil)
        connection.noteExchange()
        answer.record(ContinuousClock.now - start)
    }
}
