import * as React from 'react';
import { Card } from '../card.jsx';
import './about.css';

window.reacts.add(React.useState);

export const About = () => <Card><p className="about">about</p></Card>;
