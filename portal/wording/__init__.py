"""The texts that people read about states, rejections, failures, attempts and actions; pages and commands share them.

Why an order is on hold is in portal.rules.hold_reasons, beside what follows from each reason.
"""
