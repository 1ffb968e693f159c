// SPDX-FileCopyrightText: 2026 galilean.hub contributors
// SPDX-License-Identifier: BSD-3-Clause
package galilean

import scala.tools.nsc.Global
import scala.tools.nsc.plugins.{Plugin, PluginComponent}
import scala.tools.nsc.symtab.Flags
import scala.tools.nsc.transform.Transform

/** Makes the loops, methods and functions of a cell stop when it is interrupted.
  *
  * Java cannot stop a thread that does not look whether it should stop, so a loop that only computes would run until
  * its kernel is restarted. Only Java's own classes are named: compiled cells work on other machines, too.
  */
final class Interruptible(val global: Global) extends Plugin {
  val name = "interruptible"
  val description = "stops cells that are interrupted"
  val components: List[PluginComponent] = List(Component)

  private object Component extends PluginComponent with Transform {
    val global: Interruptible.this.global.type = Interruptible.this.global
    val runsAfter: List[String] = List("parser")
    override val runsBefore: List[String] = List("namer")
    val phaseName = "interruptible"

    import global._

    private def lang(name: String, kind: String => Name): Tree =
      Select(Select(Select(Ident(nme.ROOTPKG), TermName("java")), TermName("lang")), kind(name))

    private def checked(body: Tree): Tree = atPos(body.pos.focus) {
      val asked = Apply(Select(lang("Thread", TermName(_)), TermName("interrupted")), Nil)
      val stop = Throw(New(lang("InterruptedException", TypeName(_)), List(List(Literal(Constant("interrupted"))))))
      Block(List(If(asked, stop, Literal(Constant(())))), body)
    }

    protected def newTransformer(unit: CompilationUnit): AstTransformer = new AstTransformer {
      override def transform(tree: Tree): Tree = super.transform(tree) match {
        case LabelDef(label, params, body) => treeCopy.LabelDef(tree, label, params, checked(body))
        case Function(params, body) if !body.isEmpty => treeCopy.Function(tree, params, checked(body))
        case DefDef(mods, method, types, params, result, body)
            if !body.isEmpty && method != nme.CONSTRUCTOR && !mods.hasFlag(Flags.MACRO) =>
          treeCopy.DefDef(tree, mods, method, types, params, result, checked(body))
        case other => other
      }
    }
  }
}
