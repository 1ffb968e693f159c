// SPDX-FileCopyrightText: 2026 galilean.hub contributors
// SPDX-License-Identifier: BSD-3-Clause
package galilean

import java.io.{BufferedOutputStream, ByteArrayOutputStream, DataInputStream, DataOutputStream, EOFException}
import java.io.{FileInputStream, FileOutputStream, OutputStream, PrintStream, PrintWriter, StringWriter}
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.Paths
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.atomic.AtomicInteger

import scala.reflect.internal.util.{CodeAction, Position}
import scala.tools.nsc.Settings
import scala.tools.nsc.interpreter.{IMain, Results}
import scala.tools.nsc.interpreter.shell.ReplReporterImpl
import scala.util.control.NonFatal

import org.apache.spark.SparkConf
import org.apache.spark.sql.SparkSession

/** The messages to the kernel: lists of texts, each with its length before it. */
final class Channel(stream: OutputStream) {
  private val out = new DataOutputStream(new BufferedOutputStream(stream, 1 << 16))

  def send(parts: String*): Unit = raw(parts.map(_.getBytes(UTF_8)): _*)

  def raw(parts: Array[Byte]*): Unit = synchronized {
    out.writeInt(parts.size)
    for (part <- parts) {
      out.writeInt(part.length)
      out.write(part)
    }
    out.flush()
  }
}

/** What a cell prints. Collected for a moment, as many small messages would keep the notebook busy. */
final class Printed(name: String, channel: Channel) extends OutputStream {
  private val limit = 1 << 14
  private val buffer = new ByteArrayOutputStream(limit)

  override def write(byte: Int): Unit = synchronized {
    buffer.write(byte)
    if (buffer.size >= limit) flush()
  }

  override def write(bytes: Array[Byte], offset: Int, length: Int): Unit = synchronized {
    buffer.write(bytes, offset, length)
    if (buffer.size >= limit) flush()
  }

  override def flush(): Unit = synchronized {
    if (buffer.size > 0) {
      channel.raw("stream".getBytes(UTF_8), name.getBytes(UTF_8), buffer.toByteArray)
      buffer.reset()
    }
  }
}

/** The compiler's messages and the results of a cell, apart from each other. */
final class Collector(settings: Settings, writer: StringWriter)
    extends ReplReporterImpl(settings, new PrintWriter(writer, true)) {
  val results = new StringBuilder
  var failure: Option[String] = None

  override def doReport(pos: Position, msg: String, severity: Severity, actions: List[CodeAction]): Unit = {
    val kind = severity match {
      case ERROR => "error"
      case WARNING => "warning"
      case _ => "note"
    }
    if (pos.isDefined && pos.source.length > 0) {
      out.println(s"line ${pos.line}: $kind: $msg")
      out.println(pos.lineContent.stripLineEnd)
      out.println(pos.lineCaret)
    } else if (kind != "note") out.println(s"$kind: $msg")
  }

  override def printResult(result: Either[String, String]): Unit = result match {
    case Right(text) => if (printResults) results.append(text)
    case Left(text) => failure = Some(text)
  }

  def messages(): String = {
    out.flush()
    val text = writer.toString
    writer.getBuffer.setLength(0)
    text
  }

  def clear(): Unit = {
    reset()
    messages()
    results.clear()
    failure = None
  }
}

/** Spark, made when a cell asks for it the first time. */
object Session {
  @volatile private var made: Option[SparkSession] = None
  @volatile private var classes = ""

  private[galilean] def compiledTo(folder: String): Unit = classes = folder

  /** The session if there is one, and none is made. */
  def current: Option[SparkSession] = made.filterNot(_.sparkContext.isStopped)

  def spark: SparkSession = synchronized {
    current.getOrElse {
      val conf = new SparkConf().setIfMissing("spark.app.name", "Scala notebook")
      // Where workers find the classes that the cells define.
      conf.set("spark.repl.class.outputDir", classes)
      val session = SparkSession.builder().config(conf).getOrCreate()
      made = Some(session)
      session
    }
  }
}

/** What cells see as `kernel`: outputs other than text, and more libraries. */
object Kernel {
  private[galilean] var channel: Channel = _
  private[galilean] var intp: IMain = _

  def display(mime: String, data: String): Unit = {
    Bridge.flush()
    channel.send("display", mime, data)
  }
  def html(text: String): Unit = display("text/html", text)
  def svg(text: String): Unit = display("image/svg+xml", text)
  def markdown(text: String): Unit = display("text/markdown", text)
  def png(bytes: Array[Byte]): Unit = display("image/png", java.util.Base64.getEncoder.encodeToString(bytes))

  /** A library for the next cells and for Spark's tasks. */
  def addJar(path: String): Unit = {
    val file = Paths.get(path).toAbsolutePath.normalize
    require(java.nio.file.Files.isReadable(file), s"There is no file $file.")
    intp.addUrlsToClassPath(file.toUri.toURL)
    Session.spark.sparkContext.addJar(file.toString)
  }
}

object Bridge {
  private val prelude = Seq(
    """@transient lazy val spark: org.apache.spark.sql.SparkSession = galilean.Session.spark
      |@transient lazy val sc: org.apache.spark.SparkContext = spark.sparkContext""".stripMargin,
    "import galilean.{Kernel => kernel}; import spark.implicits._; import spark.sql; import org.apache.spark.sql.functions._"
  )
  private var streams: Seq[Printed] = Nil
  // The thread of user code, while there is one, and whether it was asked to stop.
  @volatile private var running: Option[Thread] = None
  @volatile private var stopping = false
  private val busy = new AtomicInteger

  private[galilean] def flush(): Unit = {
    System.out.flush()
    System.err.flush()
    streams.foreach(_.flush())
  }

  def main(args: Array[String]): Unit = {
    val Seq(from, to, plugin) = args.toSeq.take(3): @unchecked
    val in = new DataInputStream(new FileInputStream(from))
    val channel = new Channel(new FileOutputStream(to))
    val out = new Printed("stdout", channel)
    val err = new Printed("stderr", channel)
    streams = Seq(out, err)
    System.setOut(new PrintStream(out, false, UTF_8))
    System.setErr(new PrintStream(err, false, UTF_8))
    daemon("flush") {
      while (true) {
        Thread.sleep(100)
        flush()
      }
    }

    val work = new LinkedBlockingQueue[Seq[String]]
    daemon("cells") {
      Console.withOut(System.out) {
        Console.withErr(System.err) {
          val interpreter = new Interpreter(channel, plugin)
          interpreter.prepare(prelude)
          channel.send("ready", scala.util.Properties.versionNumberString, org.apache.spark.SPARK_VERSION)
          while (true) interpreter.answer(work.take())
        }
      }
    }
    try {
      while (true) {
        val message = Seq.fill(in.readInt()) {
          val bytes = new Array[Byte](in.readInt())
          in.readFully(bytes)
          new String(bytes, UTF_8)
        }
        if (message.head == "interrupt") interrupt() else work.put(message)
      }
    } catch {
      // The kernel is gone, or wants this to end.
      case _: EOFException => daemon("stop")(Session.current.foreach(_.stop())).join(3000)
    }
    Runtime.getRuntime.halt(0)
  }

  private def daemon(name: String)(body: => Unit): Thread = {
    val thread = new Thread(() => body, name)
    thread.setDaemon(true)
    thread.start()
    thread
  }

  /** Ask until the cell ends: what has not begun yet cannot be stopped, and some libraries drop the question. */
  private def interrupt(): Unit = {
    val cell = busy.get
    if (cell % 2 == 1 && !stopping) {
      stopping = true
      daemon("interrupt") {
        while (busy.get == cell) {
          // Not the compiler, which would be left half-way through a cell.
          if (running.exists(runsCell)) {
            // Spark's jobs first: their own error says more than that of the thread which waits for them.
            for (session <- Session.current) {
              session.sparkContext.cancelAllJobs()
              pause(cell, 500)
            }
            if (busy.get == cell) running.filter(runsCell).foreach(_.interrupt())
            pause(cell, 500)
          } else pause(cell, 10)
        }
        stopping = false
      }
    }
  }

  private def runsCell(thread: Thread): Boolean = thread.getStackTrace.exists(_.getClassName.startsWith("$line"))

  private def pause(cell: Int, milliseconds: Int): Unit = {
    val end = System.nanoTime + milliseconds * 1000000L
    while (busy.get == cell && System.nanoTime < end) Thread.sleep(10)
  }

  /** A cell from its beginning to its end, for interrupts. */
  private[galilean] def cell[T](body: => T): T = {
    busy.incrementAndGet()
    try body
    finally busy.incrementAndGet()
  }

  /** Run user code so that it can be interrupted, in a thread of its own: what is left of an interrupt goes with it. */
  private[galilean] def interruptible[T](loader: ClassLoader)(body: => T): T = {
    var outcome: Either[Throwable, T] = Left(new InterruptedException)
    val thread = new Thread(null, () => outcome = try Right(body) catch { case error: Throwable => Left(error) }, "cell", 16L << 20)
    thread.setContextClassLoader(loader)
    thread.setDaemon(true)
    running = Some(thread)
    try {
      thread.start()
      thread.join()
    } finally running = None
    outcome.fold(throw _, identity)
  }
}

/** Scala's own interpreter, as Spark's shell sets it up. */
final class Interpreter(channel: Channel, plugin: String) {
  private val settings = new Settings(message => System.err.println(message))
  private val folder = org.apache.spark.util.GalileanFolder.make()
  settings.usejavacp.value = true
  settings.Yreplclassbased.value = true
  settings.Yreploutdir.value = folder
  settings.Yrangepos.value = true
  settings.processArguments(List("-Wconf:cat=deprecation:s"), processAll = true)
  settings.plugin.value = List(plugin)
  private val collector = new Collector(settings, new StringWriter)
  private val intp = new IMain(settings, collector)
  // What the parts of a cell have come to.
  private val results = new StringBuilder
  Session.compiledTo(folder)
  Kernel.channel = channel
  Kernel.intp = intp

  def prepare(lines: Seq[String]): Unit = for (line <- lines) {
    if (intp.quietRun(line) != Results.Success) {
      channel.send("broken", collector.messages() + collector.failure.getOrElse(""))
    }
  }

  def answer(message: Seq[String]): Unit = message match {
    case Seq("execute", id, code) => execute(id, code)
    case Seq("complete", id, code, cursor) => complete(id, code, cursor.toInt)
    case Seq("check", id, code) => check(id, code)
    case other => channel.send("broken", s"unknown message ${other.head}")
  }

  private def execute(id: String, code: String): Unit = {
    val status = Bridge.cell(run(code))
    if (results.nonEmpty) channel.send("result", results.toString.stripTrailing)
    channel.send("done", id, status)
  }

  private def run(code: String): String = {
    var status = "ok"
    results.clear()
    var ends = new Cell(intp).ends(code)
    var start = 0
    while (status == "ok" && ends.nonEmpty) {
      status = interpret(part(code, start, ends.head), last = ends.tail.isEmpty)
      // A part may use what comes after it; the compiler has said so, and nothing of it has run yet.
      if (status == "again") status = "ok" else start = ends.head
      ends = ends.tail
    }
    status
  }

  /** A part of a cell, with the number of its lines in the cell. */
  private def part(code: String, start: Int, end: Int): String =
    "\n" * code.take(start).count(_ == '\n') + code.slice(start, end).replaceFirst("^\\s*;", "")

  private def interpret(code: String, last: Boolean): String = {
    collector.clear()
    val outcome =
      try Right(Bridge.interruptible(intp.classLoader)(intp.interpretFinally(code)))
      catch { case error: Throwable => Left(error) }
    Bridge.flush()
    val messages = collector.messages().stripTrailing
    results.append(collector.results)
    outcome match {
      case Right(Results.Success) =>
        // Warnings of the compiler.
        if (messages.nonEmpty) channel.send("stream", "stderr", messages + "\n")
        "ok"
      case Right(_) if collector.failure.isEmpty && !last =>
        "again"
      case Right(_) =>
        val text = collector.failure.getOrElse(messages)
        val first = text.linesIterator.find(_.nonEmpty).getOrElse("error")
        if (collector.failure.isEmpty) channel.send("error", "CompileError", first, text)
        else {
          val (name, value) = first.span(_ != ':')
          channel.send("error", name, value.stripPrefix(":").trim, text)
        }
        "error"
      case Left(error) =>
        channel.send("error", error.getClass.getName, String.valueOf(error.getMessage), s"$error")
        "error"
    }
  }

  private def complete(id: String, code: String, cursor: Int): Unit = {
    val (start, found) =
      try {
        intp.presentationCompile(cursor, code) match {
          case Right(result) =>
            try {
              val (position, candidates) = result.completionCandidates(1)
              (position, candidates.map(_.name).distinct)
            } finally result.cleanup()
          case Left(_) => (cursor, Nil)
        }
      } catch { case NonFatal(_) => (cursor, Nil) }
    collector.clear()
    channel.send(Seq("matches", id, start.toString) ++ found: _*)
  }

  private def check(id: String, code: String): Unit = {
    val status = collector.suppressOutput(intp.parseString(code)) match {
      case Results.Success => "complete"
      case Results.Incomplete => "incomplete"
      case Results.Error => "invalid"
    }
    collector.clear()
    channel.send("checked", id, status)
  }
}

/** The parts of a cell that are compiled and run one after the other.
  *
  * Spark makes objects of a cell's classes through the object that the interpreter has made of the cell, so that object
  * must be complete: classes come first, and what uses them is a part of its own.
  */
final class Cell(intp: IMain) {
  import intp.global._

  /** Where the parts end; no parts where there is nothing to do. */
  def ends(code: String): List[Int] = statements(code) match {
    case None => List(code.length)
    case Some(Nil) => Nil
    case Some(trees) =>
      // Runs of definitions, which do nothing by themselves, and of other statements.
      val runs = trees.foldRight(List.empty[List[Tree]]) {
        case (tree, run :: rest) if defines(tree) == defines(run.head) => (tree :: run) :: rest
        case (tree, rest) => List(tree) :: rest
      }
      // Only classes make it necessary to part.
      val parts = runs.foldRight(List.empty[List[Tree]]) {
        case (run, next :: rest) if !run.exists(isClass) && !next.exists(isClass) => (run ::: next) :: rest
        case (run, rest) => run :: rest
      }
      parts.init.map(_.map(_.pos.end).max) :+ code.length
  }

  /** The statements of a cell, unless it cannot be read: the interpreter will say why. */
  private def statements(code: String): Option[List[Tree]] =
    try {
      val trees = intp.reporter.suppressOutput(newUnitParser(code, "cell").parseStats()).filterNot(_.isEmpty)
      if (intp.reporter.hasErrors || !trees.forall(_.pos.isRange)) None else Some(trees)
    } catch { case NonFatal(_) => None }
    finally intp.reporter.reset()

  private def isClass(tree: Tree): Boolean = tree.isInstanceOf[ImplDef]

  private def defines(tree: Tree): Boolean = tree match {
    case _: ImplDef | _: DefDef | _: TypeDef | _: Import => true
    case _ => false
  }
}
