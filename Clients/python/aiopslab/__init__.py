# SPDX-License-Identifier: Apache-2.0
"""The part of AIOpsLab's interface that its clients use, over Basalt's evaluation API."""
