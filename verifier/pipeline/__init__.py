"""The only package that knows every stage: one module a command, in the order of the README's picture.

Dockerfile + context → plan → two builds → two images → differences → findings → verdict → report

The modules are imported by the commands that need them: comparing two images takes no builder, and checking no image.
"""
