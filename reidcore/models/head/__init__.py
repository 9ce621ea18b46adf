"""Heads for any backbone: pooling, embedding, neck and classifier, chosen by ``model.head``.

``attaching.attach_head`` is the way in; ``headed.HeadedModel`` is what a model becomes.
"""
